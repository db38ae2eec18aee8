"""An app whose jobs write down that they ran, for tests with real worker processes."""
