"""How much memory a worker takes for much: ``make soak-memory``. It is no part of the tests that pytest collects."""
