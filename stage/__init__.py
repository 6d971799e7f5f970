"""What tests and benchmarks both stand on: the product's processes, databases, mail and browsers.

Nothing here imports from `tests` or `bench`, and nothing here needs Django.
"""
