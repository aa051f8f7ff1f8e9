"""What officers do with a case. Each step checks the stage, writes its record and one line of history."""
