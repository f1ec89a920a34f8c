"""Is this station fit? Facts that thin edges read, judgements on them that touch nothing, findings with their cure."""
