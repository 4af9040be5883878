"""How good the answers of a server are: questions with right answers, asked over HTTP."""
