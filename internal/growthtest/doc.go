// Package growthtest is for tests. It shows that work grows with its input and no
// faster: whoever can make a step quadratic holds a processor with one mail.
//
// [Linear] compares the processor time for an input and for one of four times
// its size; [Shapes] are the inputs that people with bad intentions choose; [Grow]
// prints what they cost at growing sizes.
package growthtest
