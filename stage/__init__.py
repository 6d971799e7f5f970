"""The stage of tests and benchmarks: processes, databases, mail and browsers.

Nothing here imports from `tests` or `bench`, and nothing here needs Django.
"""
