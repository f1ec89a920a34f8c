"""`station-gateway schema`: what is printed is what holds."""

import json
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from gateway.cli.main import main
from gateway.contract import MessageName, schema

ROOT = Path(__file__).parents[2]


def printed(what: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["schema", what]) == 0
    said = capsys.readouterr()
    assert not said.err
    return said.out


def test_messages_are_the_schemas_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    shown = json.loads(printed("messages", capsys))
    assert shown == {name.value: schema(name) for name in MessageName}


def test_asyncapi_is_the_document_with_its_schemas(capsys: pytest.CaptureFixture[str]) -> None:
    shown = yaml.safe_load(printed("asyncapi", capsys))
    assert shown["asyncapi"] == "3.0.0"
    assert {name.value for name in MessageName} <= shown["components"]["schemas"].keys()


def test_profile_accepts_the_shipped_profiles(capsys: pytest.CaptureFixture[str]) -> None:
    shape = json.loads(printed("profile", capsys))
    Draft202012Validator.check_schema(shape)
    for file in (ROOT / "drivers/profiles").glob("*.yaml"):
        Draft202012Validator(shape).validate(json_of(file))
    assert not Draft202012Validator(shape).is_valid({"profile": "nameless"})


def test_config_accepts_the_shipped_configuration(capsys: pytest.CaptureFixture[str]) -> None:
    shape = json.loads(printed("config", capsys))
    Draft202012Validator.check_schema(shape)
    Draft202012Validator(shape).validate(json_of(ROOT / "config/gateway.yaml"))
    assert not Draft202012Validator(shape).is_valid({"station": "xinhua-03"})


@pytest.mark.parametrize("keepalive", ["8s", 8, 0.5])
def test_the_schema_of_the_configuration_takes_a_duration_in_seconds_too(
    keepalive: object, capsys: pytest.CaptureFixture[str]
) -> None:
    """An editor that underlines what the gateway takes is as misleading as one that does not what it refuses."""
    mqtt = {"brokers": ["mqtts://platform.example"], "keepalive": keepalive}
    Draft202012Validator(json.loads(printed("config", capsys))).validate({"station": "a", "mqtt": mqtt})


@pytest.mark.parametrize("words", [["schema"], ["schema", "nothing"]])
def test_wrong_usage_is_said(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert "asyncapi" in capsys.readouterr().err


def json_of(file: Path) -> object:
    """YAML as JSON has it: keys of objects are text."""
    return json.loads(json.dumps(yaml.safe_load(file.read_text(encoding="utf-8"))))
