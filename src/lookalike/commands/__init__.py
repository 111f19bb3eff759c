"""The commands: options in, a verb of the library, words out. Nothing is decided here."""
