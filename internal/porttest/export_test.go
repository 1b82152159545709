package porttest

// Reserve is reserve.
var Reserve = reserve
