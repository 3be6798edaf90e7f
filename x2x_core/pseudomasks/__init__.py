"""Pseudomasks P: where a finding can be."""
