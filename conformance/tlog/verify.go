// Verifies a log on disk with the libraries of Go's checksum database, which know nothing of Mainstay:
//
//	GO111MODULE=off GOPATH=/usr/share/gocode go run verify.go <folder> <vkey> [<checkpoint or .tlog-proof>…]
//
// Entries are checked against tiles, tiles against the signed root, and the files as proofs (C2SP tlog-tiles).
package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type folder string

func (f folder) Height() int                     { return 8 }
func (f folder) SaveTiles([]tlog.Tile, [][]byte) {}
func (f folder) ReadTiles(tiles []tlog.Tile) (all [][]byte, err error) {
	for _, tile := range tiles {
		all = append(all, f.read(tile))
	}
	return all, nil
}

func (f folder) read(tile tlog.Tile) []byte {
	path := strings.NewReplacer("tile/8/data", "tile/entries", "tile/8", "tile").Replace(tile.Path())
	return must(os.ReadFile(filepath.Join(string(f), path)))
}

func must[T any](value T, err error) T {
	if err != nil {
		fmt.Println("FAIL", err)
		os.Exit(1)
	}
	return value
}

func open(data []byte, vkey string) tlog.Tree {
	key := must(note.NewVerifier(vkey))
	lines := strings.Split(must(note.Open(data, note.VerifierList(key))).Text, "\n")
	return tlog.Tree{N: must(strconv.ParseInt(lines[1], 10, 64)), Hash: must(tlog.ParseHash(lines[2]))}
}

func checkBundle(bundle []byte, start int64, width int, hashes tlog.HashReader) (err error) {
	var positions []int64
	for i := 0; i < width; i++ {
		positions = append(positions, tlog.StoredHashIndex(0, start+int64(i)))
	}
	for i, hash := range must(hashes.ReadHashes(positions)) {
		end := 2 + int(binary.BigEndian.Uint16(bundle))
		if tlog.RecordHash(bundle[2:end]) != hash {
			return fmt.Errorf("entry %d is not the one that was signed", start+int64(i))
		}
		bundle = bundle[end:]
	}
	if len(bundle) > 0 {
		return fmt.Errorf("the bundle from entry %d on is too long", start)
	}
	return nil
}

func main() {
	f, vkey := folder(os.Args[1]), os.Args[2]
	tree := open(must(os.ReadFile(filepath.Join(os.Args[1], "checkpoint"))), vkey)
	hashes := tlog.TileHashReader(tree, f)
	for start := int64(0); start < tree.N; start += 256 {
		width := 256
		if tree.N-start < 256 {
			width = int(tree.N - start)
		}
		bundle := f.read(tlog.Tile{H: 8, L: -1, N: start / 256, W: width})
		must(0, checkBundle(bundle, start, width, hashes))
	}
	for _, name := range os.Args[3:] {
		data := must(os.ReadFile(name))
		if !strings.HasSuffix(name, ".tlog-proof") {
			old := open(data, vkey)
			proof := must(tlog.ProveTree(tree.N, old.N, hashes))
			must(0, tlog.CheckTree(proof, tree.N, tree.Hash, old.N, old.Hash))
			continue
		}
		head, checkpoint, _ := strings.Cut(string(data), "\n\n")
		lines := strings.Split(head, "\n")
		index := must(strconv.ParseInt(strings.TrimPrefix(lines[1], "index "), 10, 64))
		var proof tlog.RecordProof
		for _, line := range lines[2:] {
			proof = append(proof, must(tlog.ParseHash(line)))
		}
		leaf := must(hashes.ReadHashes([]int64{tlog.StoredHashIndex(0, index)}))
		signed := open([]byte(checkpoint), vkey)
		must(0, tlog.CheckRecord(proof, signed.N, signed.Hash, index, leaf[0]))
	}
	fmt.Printf("ok: %d entries, %d files\n", tree.N, len(os.Args)-3)
}
