"""Revocation clock: every process learns of a revocation before it returns.

A number in the database counts changes that affect verification. Processes that cache verifications
follow it. An operation that takes authority away returns when all of them have applied its number.
docs/adr/0018 has the protocol and the proof.
"""
