"""The revocation clock under test: a simulation of the protocol, and the real one on a database.

`schedule` is virtual time, `database` the modelled PostgreSQL, `process` the modelled worker with
the product's own `Trust`, `Watch` and `VerifiedSecrets`, `world` what happens to them by chance.
`rules` has the ways to break the protocol that the simulation must notice.
"""
