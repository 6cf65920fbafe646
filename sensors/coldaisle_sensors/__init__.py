"""One InRow controller: four temperature sensors that report over MQTT."""
