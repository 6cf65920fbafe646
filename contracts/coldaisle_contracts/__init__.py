"""The vocabulary that all parts of coldaisle share: names, addresses, time, scenario, plan and journal."""
