package mailindex

import (
	"context"
	"encoding/binary"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// pieceSize is how much of a block is read at once: more than the longest entry has.
	pieceSize = 64 << 10
	// firstGroup is how much the first round trip reads, which is enough for a page of the
	// newest mails; each later one reads twice as much, up to mostGroup, and of groupPieces
	// blocks at most.
	firstGroup, mostGroup, groupPieces = 64 << 10, 1 << 20, 256
	// ahead is by how much the clock of a producer may be before ours.
	ahead = time.Hour
)

// A piece is a part of the block of an hour.
type piece struct{ hour, start, end int64 }

// journal goes through the blocks, the newest entry first.
func (w *walker) journal(ctx context.Context) error {
	pieces, err := w.pieces(ctx)
	if err != nil {
		return err
	}
	var rest []byte // of an entry that begins in the piece before, and what of the hour is to be skipped
	hour, damaged, group := int64(-1), false, int64(firstGroup)
	for len(pieces) > 0 && !w.enough {
		n, size := 0, int64(0)
		for n < len(pieces) && n < groupPieces && (n == 0 || size+pieces[n].end-pieces[n].start <= group) {
			size += pieces[n].end - pieces[n].start
			n++
		}
		group = min(2*group, mostGroup)
		read, err := w.read(ctx, pieces[:n])
		if err != nil {
			return err
		}
		for i, p := range pieces[:n] {
			if p.hour != hour {
				hour, rest, damaged = p.hour, nil, false
			}
			if damaged || w.enough {
				continue
			}
			rest, damaged = w.entries(p, read[i], rest)
		}
		pieces = pieces[n:]
	}
	return nil
}

// entries shows those of a piece, behind which stands the rest of the one after it. It
// answers with what belongs to an entry that begins before the piece.
func (w *walker) entries(p piece, text, rest []byte) (left []byte, damaged bool) {
	if len(rest) > 0 {
		missing := len(text) // of the entry that ends in the rest
		if len(rest) >= lengthSize {
			missing = min(missing, int(binary.BigEndian.Uint16(rest[len(rest)-lengthSize:]))+lengthSize-len(rest))
		}
		before := len(text) - missing
		left, damaged = w.run(p.hour, p.start+int64(before), slices.Concat(text[before:], rest))
		if len(left) > 0 || damaged || w.enough {
			return left, damaged
		}
		text = text[:before]
	}
	return w.run(p.hour, p.start, text)
}

// run shows the entries of a text that begins at some byte of an hour's block, from its
// end. What is left does not hold the whole of an entry.
func (w *walker) run(hour, start int64, text []byte) (left []byte, damaged bool) {
	for len(text) > 0 {
		e, size := lastEntry(text)
		if size <= 0 {
			return text, size < 0
		}
		text = text[:len(text)-size]
		if !w.show(e, Cursor{hour: hour, offset: start + int64(len(text))}) {
			return nil, false
		}
	}
	return nil, false
}

// pieces are those of the blocks that are there, from the cursor on, the newest first.
func (w *walker) pieces(ctx context.Context) ([]piece, error) {
	last := hourOf(w.index.now().Add(ahead))
	if to := w.to / time.Hour.Milliseconds(); to < last {
		last = to
	}
	first := max(w.first, w.from/time.Hour.Milliseconds())
	if !w.at.IsZero() {
		last = min(last, w.at.hour)
	}
	if last < first {
		return nil, nil
	}
	pipe := w.index.rdb.Pipeline()
	var sizes []*redis.IntCmd
	for hour := last; hour >= first; hour-- {
		sizes = append(sizes, pipe.StrLen(ctx, blockKey(w.tenant, hour)))
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, err
	}
	var pieces []piece
	for i, size := range sizes {
		hour, end := last-int64(i), size.Val()
		if !w.at.IsZero() && hour == w.at.hour {
			end = min(end, w.at.offset)
		}
		for end > 0 {
			start := max(0, end-pieceSize)
			pieces = append(pieces, piece{hour, start, end})
			end = start
		}
	}
	return pieces, nil
}

func (w *walker) read(ctx context.Context, pieces []piece) ([][]byte, error) {
	pipe := w.index.rdb.Pipeline()
	cmds := make([]*redis.StringCmd, len(pieces))
	for i, p := range pieces {
		cmds[i] = pipe.GetRange(ctx, blockKey(w.tenant, p.hour), p.start, p.end-1)
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, err
	}
	read := make([][]byte, len(pieces))
	for i, c := range cmds {
		read[i], _ = c.Bytes()
	}
	return read, nil
}
