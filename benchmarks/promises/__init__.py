"""What is promised of schemas, measured on suites that others and we wrote (`make promises`)."""
