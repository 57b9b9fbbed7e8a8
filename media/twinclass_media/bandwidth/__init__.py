"""How much a viewer's line carries, and what of it is sent: send-side estimation and allocation."""
