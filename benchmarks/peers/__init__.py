"""Other queues beside this one: their jobs, how their workers are started, what is measured of them."""
