"""Chaos: real producers and workers, and a monkey that kills, stops and cuts what it finds.

``python -m tests.chaos --minutes M --seed S`` ends with an account of every job, kept outside of Redis.
The seed fixes what the monkey does and in which order; what it meets is the machine's.
"""
