"""The two implementations of `runtime.Session`: one file a runtime."""
