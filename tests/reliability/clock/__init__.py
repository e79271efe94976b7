"""Tests of the revocation clock: a simulation of the protocol, and the real clock on a database.

`schedule` is virtual time, `database` the simulated PostgreSQL, `process` the simulated worker with
the product's own `Trust`, `Watch` and `VerifiedSecrets`, and `world` what happens to them at
random. `rules` has the ways to break the protocol that the simulation must detect.
"""
