"""The rules of SEMANTICS sections 3 to 7 as scenarios that the product and the reference model must pass."""
