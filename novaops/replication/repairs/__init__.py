"""What mends a replication that has come to harm: what failed, leaving it out, building anew, sequences, taking it down."""
