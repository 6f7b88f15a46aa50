-- What before.sql is to become.
CREATE TYPE state AS ENUM ('draft', 'new', 'paid', 'sent');
CREATE TYPE size AS ENUM ('small', 'middle', 'large');
CREATE TABLE customers (
    id int CONSTRAINT customers_pkey PRIMARY KEY, email text NOT NULL, note text, state state DEFAULT 'draft',
    score int CONSTRAINT score_positive CHECK (score > 0), "since" date, CONSTRAINT customers_email_key UNIQUE (email)
);
CREATE TABLE orders (
    id int CONSTRAINT orders_pkey PRIMARY KEY,
    customer int NOT NULL CONSTRAINT orders_customer_fkey REFERENCES customers (id),
    amount numeric(12, 2) CONSTRAINT amount_positive CHECK (amount > 0), placed date NOT NULL, size size DEFAULT 'middle',
    state state DEFAULT 'sent'
);
CREATE TABLE items (
    id int CONSTRAINT items_pkey PRIMARY KEY,
    "order" int CONSTRAINT items_order_fkey REFERENCES orders (id),
    label text NOT NULL, count int DEFAULT 1 CONSTRAINT count_positive CHECK (count > 0), price numeric
);
CREATE TABLE events (
    id int CONSTRAINT events_pkey PRIMARY KEY,
    item int CONSTRAINT events_item_fkey REFERENCES items (id), said text, at timestamptz NOT NULL
);
CREATE TABLE parcels (id int PRIMARY KEY, "order" int REFERENCES orders (id), state state DEFAULT 'draft');
CREATE INDEX customers_email ON customers (lower(email));
CREATE INDEX customers_state ON customers (state);
CREATE INDEX orders_placed ON orders (placed, customer);
CREATE INDEX orders_customer ON orders (customer);
CREATE INDEX items_label ON items (lower(label));
CREATE INDEX items_order ON items ("order");
CREATE INDEX events_item ON events (item);
CREATE INDEX events_at ON events (at);
CREATE VIEW emails AS SELECT id, email FROM customers;
CREATE VIEW sums AS SELECT customer, sum(amount) AS amount, count(*) AS orders FROM orders GROUP BY customer;
CREATE VIEW sent AS SELECT id FROM orders WHERE state = 'sent';
CREATE FUNCTION twice(n int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 2 * n';
CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER stamped BEFORE UPDATE ON items FOR EACH ROW EXECUTE FUNCTION stamp();
CREATE TRIGGER stamped BEFORE UPDATE ON events FOR EACH ROW EXECUTE FUNCTION stamp();
COMMENT ON TABLE customers IS 'who buys';
COMMENT ON TABLE orders IS 'what was bought';
COMMENT ON TABLE parcels IS 'what was sent';
COMMENT ON VIEW emails IS 'where to write to';
COMMENT ON COLUMN emails.email IS 'the address';
COMMENT ON COLUMN orders.amount IS 'in euro';
COMMENT ON COLUMN orders.placed IS 'the day';
COMMENT ON INDEX items_label IS 'for the search';
COMMENT ON INDEX events_at IS 'for the log';
COMMENT ON FUNCTION twice(int) IS 'two times';
COMMENT ON CONSTRAINT score_positive ON customers IS 'nobody owes';
GRANT SELECT ON customers, emails, parcels TO {reader};
GRANT UPDATE (email) ON emails TO {writer};
GRANT SELECT, INSERT ON orders TO {writer};
GRANT INSERT ON parcels TO {writer};
GRANT SELECT ON events TO {reader};
GRANT UPDATE (note) ON customers TO {writer};
GRANT EXECUTE ON FUNCTION twice(int) TO {writer};
