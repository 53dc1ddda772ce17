"""The subcommands of `mnist-tui`, by topic."""
