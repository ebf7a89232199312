// Opens what the vault sealed, written from docs/formats/vault.md with Go's standard library alone.
// Reads lines of JSON {"key","context","sealed"} (bytes in hexadecimal); answers the SHA-256 of each
// plaintext, or "refused", a line each.
package main

import (
	"bufio"
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"os"
)

const header, sealedChunk = 89, 16384 + 16

var errRefused = errors.New("refused")

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<26)
	for lines.Scan() {
		var c struct {
			Key, Sealed string
			Context     []string
		}
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			panic(err)
		}
		key, _ := hex.DecodeString(c.Key)
		sealed, _ := hex.DecodeString(c.Sealed)
		if plaintext, err := open(key, encode(c.Context), sealed); err != nil {
			fmt.Println("refused")
		} else {
			fmt.Printf("%x\n", sha256.Sum256(plaintext))
		}
	}
}

func open(key, context, sealed []byte) ([]byte, error) {
	id := expand(sha256.New, extract(nil, key), []byte("vault/v1/key-check"), 8)
	if len(sealed) < header || string(sealed[:4]) != "VLT\x01" || !bytes.Equal(sealed[5:13], id) {
		return nil, errRefused
	}
	wrap := expand(sha256.New, extract(sealed[17:41], key), []byte("vault/v1/wrap"), 44)
	dataKey, err := gcm(wrap[:32], wrap[32:], sealed[41:header], join(sealed[:17], context))
	if err != nil {
		return nil, err
	}
	about, body := join(sealed[:5], sealed[13:17], context), sealed[header:]
	switch sealed[4] {
	case 1:
		if len(body) < 12 {
			return nil, errRefused
		}
		return gcm(dataKey, body[:12], body[12:], about)
	case 2:
		return chunks(dataKey, body, about)
	}
	return nil, errRefused
}

// c2sp.org/chunked-encryption, Cobblestone-256
func chunks(inputKey, body, context []byte) ([]byte, error) {
	if len(body) < 56 {
		return nil, errRefused
	}
	info := join([]byte("c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\x00"), body[:24], context)
	keys := expand(sha512.New, inputKey, info, 32+12+32)
	if !hmac.Equal(keys[44:], body[24:56]) {
		return nil, errRefused
	}
	var plaintext []byte
	for index, body := uint64(0), body[56:]; ; index++ {
		chunk := body[:min(len(body), sealedChunk)]
		nonce := join(keys[32:44])
		binary.BigEndian.PutUint64(nonce[4:], binary.BigEndian.Uint64(nonce[4:])^index)
		opened, err := gcm(keys[:32], nonce, chunk, nil)
		if err != nil {
			return nil, err
		}
		plaintext = append(plaintext, opened...)
		if len(chunk) < sealedChunk {
			return plaintext, nil
		}
		body = body[sealedChunk:]
	}
}

func gcm(key, nonce, sealed, additional []byte) ([]byte, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	return aead.Open(nil, nonce, sealed, additional)
}

func extract(salt, secret []byte) []byte {
	mac := hmac.New(sha256.New, salt)
	mac.Write(secret)
	return mac.Sum(nil)
}

func expand(hash func() hash.Hash, secret, info []byte, size int) (out []byte) {
	for block, previous := byte(1), []byte{}; len(out) < size; block++ {
		mac := hmac.New(hash, secret)
		mac.Write(join(previous, info, []byte{block}))
		previous = mac.Sum(nil)
		out = append(out, previous...)
	}
	return out[:size]
}

func encode(context []string) (out []byte) {
	for _, part := range context {
		out = binary.BigEndian.AppendUint32(out, uint32(len(part)))
		out = append(out, part...)
	}
	return out
}

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

func min(a, b int) int {
	if a < b {
		return a
	}
	return b
}
