"""Ways through the Hugging Face router: nothing is created, everything is proven."""
