"""Image pairs with an instruction: what simulation writes and training reads."""
