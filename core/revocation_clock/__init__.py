"""The revocation clock: how every process learns of a change before it is answered.

A number in the database counts the changes of what a verification says. Processes that cache
verifications follow it, and an operation that takes authority away is answered when all of them
have applied its number. docs/adr/0018 has the protocol and the proof.
"""
