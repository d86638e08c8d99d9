"""From a program to a verdict: compiled and run in the sandbox, by a judge that trusts nobody."""
