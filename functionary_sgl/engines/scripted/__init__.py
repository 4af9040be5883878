"""An engine without a model, for tests of this package and of its users."""
