"""The scripts that made the golden values need other people's packages and are no tests."""

collect_ignore_glob = ["make_*.py"]
