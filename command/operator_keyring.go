package command

import (
	"crypto/rand"
	"encoding/base64"
)

func keyringGenerate() *verb {
	return &verb{
		name: "operator gossip keyring generate", max: 0, local: true,
		synopsis: "Make a key for gossip",
		help: `
Makes a random key that servers encrypt gossip with, for 'encrypt' in the server
block of their configuration or for the flag -encrypt of the agent.`,
		examples: []string{"# A new key", Name + " operator gossip keyring generate"},
		bind: func(*flags) action {
			return func(e *env, _ []string) error {
				key := make([]byte, 32)
				_, _ = rand.Read(key) // never fails
				e.print(base64.StdEncoding.EncodeToString(key))
				return nil
			}
		},
	}
}
