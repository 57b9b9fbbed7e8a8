"""What tests and trials need of media; nothing that runs in a lesson imports it."""
