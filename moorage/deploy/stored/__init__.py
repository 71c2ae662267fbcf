"""What a backend stores: states, their copies, and what died runs left in them."""
