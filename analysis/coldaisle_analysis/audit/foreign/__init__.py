"""Tables from elsewhere: CSV, Parquet, Zeek logs and ARFF, as many files as there are, read into one table."""
