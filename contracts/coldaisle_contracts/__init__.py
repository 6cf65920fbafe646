"""What the parts of coldaisle agree on: names, addresses, time, scenario, plan and journal."""
