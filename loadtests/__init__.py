"""The load tests: ask a served model the way its users do, and judge the answers."""
