"""What an operator needs: how everything stands, what is wrong, copies and their return."""
