"""Files that people send: received with a limit, and checked in processes of their own."""
