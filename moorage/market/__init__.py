"""The only room that asks sellers for their prices; all it writes is `catalog/prices/`."""
