"""Promises 1 and 2 at a cluster of brokers, one node of which dies and comes back while stations publish."""

from pathlib import Path

from tests.bench.cluster import Size, cluster


def test_who_keeps_a_session_at_a_cluster_gets_everything_though_a_node_dies(tmp_path: Path) -> None:
    for outcome in cluster(tmp_path, "nats", Size(nodes=3, stations=3, wearables=60, seconds=9.0), seed=398):
        assert outcome.whole, str(outcome)
        assert outcome.delivered > outcome.presses > 50
