-- What needs a server that was built with ICU.

CREATE COLLATION public.phone_book (provider = icu, locale = 'de-u-co-phonebk');
CREATE COLLATION public.caseless (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TABLE public.sorted (a text COLLATE public.phone_book, b text COLLATE public.caseless UNIQUE);
