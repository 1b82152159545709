// Package session keeps in Redis who has signed in with a browser, so that any
// process with the pages knows them.
//
// The browser has a random id; Redis has its hash as the name of the key, and so lets
// nobody in who reads it. A session ends eight hours after its last use, a week after
// its beginning, and when its person signs out there or everywhere.
//
// It is own code, and no session library: what is kept is one typed value, and a library
// (alexedwards/scs) wraps every response, keeps maps of any, and knows one name of the
// cookie, which here depends on TLS.
//
// What a session may do is not kept in it: the pages look it up at each request, and a
// user who was removed is out at once.
package session
