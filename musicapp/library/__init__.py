"""What a person keeps: likes, follows, and the history of what they heard."""
