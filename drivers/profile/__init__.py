"""Profiles: one YAML file per device format, compiled when it is loaded.

model.py says what a file may hold, checks.py what its parts must be to each other; fields.py, occurrences.py and
compiled.py make it into code; golden.py proves it; load.py is the way in.
"""
