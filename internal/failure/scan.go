package failure

// A scanner finds strings in a text, all of them in one pass (Aho and Corasick, 1975):
// what a server sends costs as much as it is long, however many rules there are.
type scanner struct {
	classes [256]byte // of the bytes; 0: of no string
	width   int       // number of classes
	next    []uint16  // state × class → state
	ends    [][]int32 // by state: the strings that end there
	lengths []int     // by string
	index   map[string]int32
}

// A hit is a string that was found: text[at:end].
type hit struct {
	literal int32
	at, end int
}

// add gives a string its number. All are added before the scanner is built.
func (s *scanner) add(literal string) int32 {
	if s.index == nil {
		s.index = map[string]int32{}
	}
	n, ok := s.index[literal]
	if !ok {
		n = int32(len(s.lengths))
		s.index[literal] = n
		s.lengths = append(s.lengths, len(literal))
	}
	return n
}

// build makes the table. There are fewer states than a uint16 can tell apart: a test
// loads the rules.
func (s *scanner) build() {
	s.width = 1
	for literal := range s.index {
		for i := range len(literal) {
			if c := literal[i]; s.classes[c] == 0 {
				s.classes[c] = byte(s.width)
				s.width++
			}
		}
	}
	s.next, s.ends = make([]uint16, s.width), make([][]int32, 1)
	for literal, n := range s.index {
		state := 0
		for i := range len(literal) {
			at := state*s.width + int(s.classes[literal[i]])
			if s.next[at] == 0 {
				s.next[at] = uint16(len(s.ends))
				s.next = append(s.next, make([]uint16, s.width)...)
				s.ends = append(s.ends, nil)
			}
			state = int(s.next[at])
		}
		s.ends[state] = append(s.ends[state], n)
	}
	s.link()
}

// link adds to every state where to go on when the next byte does not continue it:
// to the longest end of it that begins a string.
func (s *scanner) link() {
	fail := make([]uint16, len(s.ends))
	var queue []uint16
	for _, child := range s.next[:s.width] {
		if child != 0 {
			queue = append(queue, child)
		}
	}
	for len(queue) > 0 {
		state := queue[0]
		queue = queue[1:]
		row, back := s.next[int(state)*s.width:][:s.width], s.next[int(fail[state])*s.width:][:s.width]
		s.ends[state] = append(s.ends[state], s.ends[fail[state]]...)
		for class, child := range row {
			if child == 0 {
				row[class] = back[class]
				continue
			}
			fail[child] = back[class]
			queue = append(queue, child)
		}
	}
}

// scan finds every string in the text, in the order in which they end.
func (s *scanner) scan(text string) []hit {
	var hits []hit
	state := 0
	for i := range len(text) {
		state = int(s.next[state*s.width+int(s.classes[text[i]])])
		for _, n := range s.ends[state] {
			hits = append(hits, hit{n, i + 1 - s.lengths[n], i + 1})
		}
	}
	return hits
}
