"""Which of two variants people like better: tests on what they did."""
