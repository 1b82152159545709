package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/resolver"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

// schema has the platform as the tenant ”.
const schema = `
CREATE TABLE IF NOT EXISTS tenants (id TEXT PRIMARY KEY, admin TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS people (tenant TEXT, id TEXT, first_name TEXT NOT NULL, last_name TEXT NOT NULL, PRIMARY KEY (tenant, id));
CREATE TABLE IF NOT EXISTS accounts (tenant TEXT, user TEXT, settings TEXT NOT NULL, password TEXT NOT NULL, PRIMARY KEY (tenant, user));`

// A Store keeps sender accounts in SQLite. It is a resolver.Store.
//
// A store is asked once per mail. SQLite answers from this process's memory; in front
// of a database that is further away, keep the accounts in memory.
type Store struct{ db *sql.DB }

var _ resolver.Store = (*Store)(nil)

// OpenStore opens a database file, and makes the tables that it lacks.
func OpenStore(ctx context.Context, path string) (*Store, error) {
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)")
	if err != nil {
		return nil, err
	}
	if _, err := db.ExecContext(ctx, schema); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &Store{db}, nil
}

// Close closes the database.
func (s *Store) Close() error { return s.db.Close() }

// PutTenant stores the address of a tenant's administrator; id "" is the platform.
func (s *Store) PutTenant(ctx context.Context, id, admin string) error {
	_, err := s.db.ExecContext(ctx, `INSERT OR REPLACE INTO tenants VALUES (?, ?)`, id, admin)
	return err
}

// PutPerson stores a person of a tenant.
func (s *Store) PutPerson(ctx context.Context, tenant string, p rohrpost.User) error {
	_, err := s.db.ExecContext(ctx, `INSERT OR REPLACE INTO people VALUES (?, ?, ?, ?)`, tenant, p.ID, p.FirstName, p.LastName)
	return err
}

// PutAccount stores an account. Workers use it for the next mail.
func (s *Store) PutAccount(ctx context.Context, a resolver.Account) error {
	password := a.SMTP.Password.Reveal()     // your application encrypts it
	a.SMTP.Password = resolver.NewSecret("") // it prints as "[redacted]", in JSON too
	settings, err := json.Marshal(a)
	if err != nil {
		return err
	}
	_, err = s.db.ExecContext(ctx, `INSERT OR REPLACE INTO accounts VALUES (?, ?, ?, ?)`, a.Tenant, a.User, settings, password)
	return err
}

// Accounts implements resolver.Store: the accounts of the platform, of the tenant and
// of the user, as far as there are any. An unknown tenant or user is no error.
func (s *Store) Accounts(ctx context.Context, tenant, user string) (resolver.Candidates, error) {
	var c resolver.Candidates
	rows, err := s.db.QueryContext(ctx, `SELECT settings, password FROM accounts WHERE user = '' AND tenant IN ('', ?) OR tenant = ? AND user = ?`,
		tenant, tenant, user)
	if err != nil {
		return c, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		a, err := scan(rows)
		if err != nil {
			return c, err
		}
		switch a.Level {
		case resolver.Platform:
			c.Platform = a
		case resolver.Tenant:
			c.Tenant = a
		case resolver.User:
			c.User = a
		}
	}
	if err := rows.Err(); err != nil {
		return c, err
	}
	return c, s.people(ctx, &c, tenant, user)
}

func scan(rows *sql.Rows) (*resolver.Account, error) {
	var settings []byte
	var password string
	if err := rows.Scan(&settings, &password); err != nil {
		return nil, err
	}
	var a resolver.Account
	if err := json.Unmarshal(settings, &a); err != nil {
		return nil, fmt.Errorf("stored account: %w", err)
	}
	a.SMTP.Password = resolver.NewSecret(password)
	// The platform's account is the operator's own. The others are what tenants have
	// entered: their servers must not stand in the network of this process.
	a.Trusted = a.Level == resolver.Platform
	return &a, nil
}

// people fills in the administrators, and the user.
func (s *Store) people(ctx context.Context, c *resolver.Candidates, tenant, user string) error {
	p := &c.Person
	err := s.db.QueryRowContext(ctx, `
		SELECT COALESCE(platform.admin, ''), COALESCE(t.admin, ''), COALESCE(p.id, ''), COALESCE(p.first_name, ''), COALESCE(p.last_name, '')
		FROM (SELECT 1)
		LEFT JOIN tenants platform ON platform.id = ''
		LEFT JOIN tenants t ON t.id = ? AND t.id <> ''
		LEFT JOIN people p ON p.tenant = ? AND p.id = ?`,
		tenant, tenant, user).Scan(&c.PlatformAdmin, &c.TenantAdmin, &p.ID, &p.FirstName, &p.LastName)
	if c.User != nil {
		p.Address = c.User.Address
	}
	return err
}
