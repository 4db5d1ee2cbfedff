"""The benchmark: release-consumer beside COPY of the same rows and beside a row-by-row version of the same rules."""
