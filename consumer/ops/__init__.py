"""What operators look with: whether all promises are kept (``verify``), whether all is set up well (``doctor``)."""
