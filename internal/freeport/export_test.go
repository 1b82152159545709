package freeport

// Reserve is reserve.
var Reserve = reserve
